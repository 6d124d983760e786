"""BI-FAST: messages of ISO 20022, the rail to the hub, and what the hub sends us.

Read ``README.md`` first; ``rail.py`` is the way out, ``receiver.py`` the way in.
"""
