"""The security rules as a CrossGuard policy pack, for any Pulumi program in any language."""
