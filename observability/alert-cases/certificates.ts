import type { AlertCase } from './alert-case.ts'

const EXPIRES =
  'certmanager_certificate_expiration_timestamp_seconds{job="cert-manager",exported_namespace="palisade-system",name="gateway-tls"}'
const RENEWS = EXPIRES.replace('expiration', 'renewal')

export const CERTIFICATE_CASES: Readonly<Record<string, AlertCase>> = {
  CertificateNotRenewed: {
    fires: {
      // Three days are left of the ten that were kept for its renewal.
      series: { [EXPIRES]: '259200x800', [RENEWS]: '-604800x800' },
      at: '2h',
      labels: { exported_namespace: 'palisade-system', name: 'gateway-tls' },
      summary:
        'Certificate palisade-system/gateway-tls was not renewed: 29.17% of the time for that is left.',
    },
    silent: { series: { [EXPIRES]: '864000x800', [RENEWS]: '3600x800' }, at: '3h' },
  },
}
