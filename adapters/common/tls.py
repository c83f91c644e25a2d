"""Makes the TLS contexts for connections that an account opens, and checks its `ca_file`."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path

import certifi

from bridge.model.errors import AccountDown, ConfigFault

_HINT = "a PEM file holds one certificate or more, each from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"


def client_context(ca_file: Path | None) -> ssl.SSLContext:
    """Trusts the system's CAs and certifi's (for systems without any), and those of `ca_file` as well: servers behind a private
    proxy and others both work. Raises AccountDown for a file that has become unusable since the check."""
    try:
        changed_ns = None if ca_file is None else ca_file.stat().st_mtime_ns
        return _made(ca_file, changed_ns)
    except OSError as error:  # ssl.SSLError is one
        reason = f"ca_file {ca_file} cannot be used: {_words(error)}"
        raise AccountDown(reason, action="put the CA's certificate there as PEM, or correct ca_file") from None


def context_with_certificate(ca_file: Path | None, certificate: Path, key: Path | None) -> ssl.SSLContext:
    """The same, showing a certificate of our own to who asks for one. Raises OSError for files that cannot be used."""
    context = _new_context(ca_file)
    context.load_cert_chain(certificate, key)
    return context


def certificate_faults(certificate: Path, key: Path | None) -> str:
    """For `check`: why a certificate and its key cannot be shown; empty if they can."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=lambda: "")
    except OSError as error:
        return _words(error)
    return ""


@lru_cache(maxsize=16)
def _made(ca_file: Path | None, _changed_ns: int | None) -> ssl.SSLContext:
    """Made once for all accounts: reading some 300 certificates takes a tenth of a second and a megabyte."""
    return _new_context(ca_file)


def _new_context(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def ca_file_faults(ca_file: Path | None) -> list[ConfigFault]:
    """For `check`: a file that does not exist, cannot be read, or contains no certificate."""
    if ca_file is None:
        return []
    if not ca_file.is_file():
        return [ConfigFault(f"there is no file {ca_file}", key="ca_file", value=str(ca_file))]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=ca_file)
    except ssl.SSLError as error:
        return [ConfigFault(f"no PEM file of certificates: {_words(error)}", key="ca_file", value=str(ca_file), hint=_HINT)]
    except OSError as error:
        return [ConfigFault(f"cannot be read: {_words(error)}", key="ca_file", value=str(ca_file))]
    if not context.cert_store_stats()["x509"]:
        return [ConfigFault("no certificate is in it", key="ca_file", value=str(ca_file), hint=_HINT)]
    return []


def _words(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not PEM").replace("_", " ").lower()
    return error.strerror or type(error).__name__
