"""ISO 8583, the language of card and ATM switches: messages, keys, a link, and the rail on top.

Pure are ``fields``, ``message``, ``required``, ``codes``, ``trace``, ``management``, ``framing``,
``inbound`` and ``outbound``. ``line``, ``link`` and ``door`` touch sockets; ``soft_hsm`` alone
knows keys. Rules, field tables and sources: README.md beside this file.
"""
