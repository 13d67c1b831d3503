"""Key Vault's data plane for secrets, as the unpatched `azure-keyvault-secrets` calls it."""
