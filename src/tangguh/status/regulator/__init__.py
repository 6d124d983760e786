"""What authorities are told, by when: clocks from the moment known, drafts for people to send."""
