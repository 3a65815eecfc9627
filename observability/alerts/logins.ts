import type { Alert } from '../alert.ts'

const ALL = 'sum(rate(auth_login_total{job="gateway"}[15m]))'
const SUCCEEDED = 'sum(rate(auth_login_total{job="gateway",status="success"}[15m]))'

export const LOGINS: readonly Alert[] = [
  {
    name: 'FailedLoginSurge',
    // One address may fail five times a minute, so this many come from several.
    expr: 'sum(rate(auth_login_total{job="gateway",status="failure"}[5m])) > 0.5',
    for: '5m',
    severity: 'page',
    summary: 'Logins fail {{ printf "%.1f" $value }} times a second.',
    description:
      'One address cannot fail as often, so passwords are tried from many, or a client that many use has a wrong one.',
  },
  {
    name: 'AuthSuccessRateLow',
    // Below one login in half a minute a person who mistypes would be a rate.
    expr: `${SUCCEEDED} / ${ALL} < 0.5 and ${ALL} > 0.03`,
    for: '15m',
    severity: 'ticket',
    summary: 'Of all logins only {{ $value | humanizePercentage }} succeed.',
    description:
      'People cannot get in, or somebody who is not one of them tries to. Whoever is logged in already goes on.',
  },
]
