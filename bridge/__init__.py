"""The bridge's core. It knows no platform, by name or by shape; `adapters` do. The layers, bottom to top:

model          vocabulary: references, events, rich text, capabilities, errors, the adapters' contract. All that adapters import
identity       who somebody is, and how a foreign name is shown
policy         decisions: routes, retries, rates, echoes, loops, secrets, access keys
journal        what was accepted and what became of it, on disk           render   an event as the target's chat gets it
accounts       one account each: connected, restarted, parked, its health
files          the spool: each file is fetched once                       config   bridge.yaml, read and checked
observability  logs, metrics, outcomes
intake         input becomes the bridge's responsibility                  web      the admin and the public listener
systemd        notifications to systemd                                   process  standard streams, early signals
delivery       one ordered lane per target chat                          ops      humans are told of what needs them
running_accounts, account_trial  accounts built, replaced, tried out      app, daemon    the parts wired; the daemon's life
reloading      bridge.yaml is applied, or what it brings undone           route_test     a line through a route and back
sandbox        the bridge between emulators                               matterbridge   its configuration as bridge.yaml
tracing        what became of a message, in words                        dashboard, surface  what the operator sees
cli            the commands
"""
