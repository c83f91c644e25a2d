"""What runs in the short-lived child processes that decode strangers' files: nothing here is imported by the daemon itself.

`child` is entered by `bridge.files.convert`; `confinement` takes away what it does not need before anything is decoded, with
`landlock` and `system_calls`; `bounds` are the limits; `vectors`, `movies`, `pictures` and `sounds` each know one family of files,
and `av_modules` loads what two of them need."""
