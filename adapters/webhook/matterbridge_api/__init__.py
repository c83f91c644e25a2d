"""The API of matterbridge, for programs that speak it: an account with `style: matterbridge`.

Source: 42wim/matterbridge, bridge/api/api.go and bridge/config/config.go (`Message`, `FileInfo`, the events), read 2026-11-27.
"""
