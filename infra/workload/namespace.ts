const MODES = ['enforce', 'warn', 'audit'] as const

/** `restricted` everywhere; an exception lowers what is enforced, never what is reported. */
export const namespaceLabels = (exception?: string): Record<string, string> => ({
  'app.kubernetes.io/part-of': 'palisade',
  ...Object.fromEntries(
    MODES.flatMap((mode) => [
      [
        `pod-security.kubernetes.io/${mode}`,
        mode === 'enforce' && exception !== undefined ? 'privileged' : 'restricted',
      ],
      [`pod-security.kubernetes.io/${mode}-version`, 'latest'],
    ]),
  ),
})

/** Ends a runaway loop before it fills the cluster; no service is published past the edge's own. */
export const quota = () => ({
  hard: {
    pods: '60',
    'requests.cpu': '16',
    'requests.memory': '32Gi',
    'limits.memory': '64Gi',
    persistentvolumeclaims: '20',
    'count/jobs.batch': '40',
  },
})

/** A container that names nothing still has a bound. */
export const limitRange = () => ({
  limits: [
    {
      type: 'Container',
      default: { memory: '256Mi' },
      defaultRequest: { cpu: '20m', memory: '64Mi' },
    },
  ],
})
