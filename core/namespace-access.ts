const statementOf = (template: string): string => template.replace(/^#.*\n/gm, '').trim()

/**
 * What the operator presents to the secret store when it works for this namespace, and what it may then do: the same
 * for the platform's own, which the store makes itself at its first start, and for each that is opened later.
 * @param template policies/vault/palisade-namespace.hcl
 */
export function namespaceAccess(namespace: string, template: string) {
  const name = `palisade-ns-${namespace}`
  return {
    name,
    policy: {
      path: `sys/policies/acl/${name}`,
      // The statement alone: the onboarder's policy takes a text that begins with it.
      body: { policy: statementOf(template).replaceAll('{namespace}', namespace) },
    },
    role: {
      path: `auth/kubernetes/role/${name}`,
      // Plain texts where the API takes lists as well: the onboarder's own policy pins each by its text.
      body: {
        bound_service_account_names: 'operator',
        bound_service_account_namespaces: 'palisade-system',
        audience: 'openbao',
        token_policies: name,
        token_no_default_policy: true,
        token_ttl: '20m',
        token_max_ttl: '1h',
      },
    },
  }
}
