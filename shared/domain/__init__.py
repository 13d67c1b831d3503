"""What the gateway is about, free of any technology: definitions, tokens, rules, errors."""
