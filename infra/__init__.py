"""The stacks. Never imports functions/, nor the other way round: the templates are the contract."""
