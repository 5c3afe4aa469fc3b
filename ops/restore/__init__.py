"""`payflowx restore` over AWS: the sources of work, the tables, the journal."""
