import type { Alert } from '../alert.ts'

const EXPIRES = 'certmanager_certificate_expiration_timestamp_seconds{job="cert-manager"}'
const RENEWS = 'certmanager_certificate_renewal_timestamp_seconds{job="cert-manager"}'

export const CERTIFICATES: readonly Alert[] = [
  {
    name: 'CertificateNotRenewed',
    // Of the time between renewal and expiry, so that it fits a life of a month and one of a year.
    expr: `min by (exported_namespace, name) ((${EXPIRES} - time()) / (${EXPIRES} - ${RENEWS})) < 0.75`,
    for: '1h',
    severity: 'page',
    summary:
      'Certificate {{ $labels.exported_namespace }}/{{ $labels.name }} was not renewed: {{ $value | humanizePercentage }} of the time for that is left.',
    description:
      'It still holds. Once it has expired, nothing connects to the program that shows it.',
  },
]
