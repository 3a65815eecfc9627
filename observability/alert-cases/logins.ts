import type { AlertCase } from './alert-case.ts'

const LOGIN = 'auth_login_total{job="gateway",provider="local"'

export const LOGIN_CASES: Readonly<Record<string, AlertCase>> = {
  FailedLoginSurge: {
    fires: {
      series: { 'auth_login_total{job="gateway",status="failure",provider="local"}': '0+15x60' },
      at: '12m',
      summary: 'Logins fail 1.0 times a second.',
    },
    // One address that does nothing but guess: five a minute.
    silent: {
      series: { 'auth_login_total{job="gateway",status="failure",provider="local"}': '0+1.25x60' },
      at: '12m',
    },
  },
  AuthSuccessRateLow: {
    fires: {
      series: {
        [`${LOGIN},status="success"}`]: '0+1x200',
        [`${LOGIN},status="failure"}`]: '0+3x200',
      },
      at: '40m',
      summary: 'Of all logins only 25% succeed.',
    },
    silent: {
      series: {
        [`${LOGIN},status="success"}`]: '0+3x200',
        [`${LOGIN},status="failure"}`]: '0+2x200',
      },
      at: '40m',
    },
  },
}
