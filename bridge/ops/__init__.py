"""Tells humans what the bridge needs them for: in a chat, and by other ways (apprise). `teller.Ops` is run by the app.

troubles    what is wrong now, from the health report      telling     what of it is said, and when: once per change, storms summed
teller      the loop, and the chat                          other_ways  apprise
"""
