"""A file a room, with the rooms' names of `functions/payflowx`; what rooms have in common lies in the folders."""
