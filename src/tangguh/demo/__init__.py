"""The invented world of the demo: one list of who and what there is, in the bank and outside it.

The bank's seed, the directory of every simulated network and the guide at ``/demo`` are made from
it, so that a number that is shown is a number that can be paid. It holds facts and no behaviour.
Names and codes of banks, wallets and networks are the public ones; people, merchants, households,
accounts and numbers are made up, and nothing here reaches whoever may have such a number.
"""
