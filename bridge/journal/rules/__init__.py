"""What the journal decides, apart from how it is stored: from rows and links that a storage read in the same transaction. Pure.

accepting   what becomes of an event: duplicate, echo, or stored; and with what
changes     what a message has become since it was accepted
early       reactions and pins that came before their message
states      which change a delivery takes, and where it stands after it
links       what a native message leads to, and which messages stop being copies
reactions   who holds which emoji
pieces      messages that several were merged into

A storage names native messages as it likes (`K`); here they are only compared.
"""
