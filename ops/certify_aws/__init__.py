"""`make certify-aws`: deploys a throw-away environment into an account, tries what no engine can show, deletes it."""
