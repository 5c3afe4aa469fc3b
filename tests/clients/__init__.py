"""Run by `make clients`, which installs what these tests need: the clients in other people's programs."""
