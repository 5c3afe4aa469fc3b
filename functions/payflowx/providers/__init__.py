"""Payment providers behind one contract: pure request builders and response parsers, a folder a provider."""
