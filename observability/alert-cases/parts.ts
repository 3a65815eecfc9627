import type { AlertCase } from './alert-case.ts'

const CHECK = 'palisade_check_ok{job="gateway"'

export const PART_CASES: Readonly<Record<string, AlertCase>> = {
  SecretStoreDown: {
    fires: {
      series: {
        [`${CHECK},check="keys",pod="a"}`]: '1x4 0x20',
        [`${CHECK},check="keys",pod="b"}`]: '0x24',
      },
      at: '3m',
      summary: 'No gateway reaches the secret store.',
    },
    silent: {
      series: {
        [`${CHECK},check="keys",pod="a"}`]: '0x24',
        [`${CHECK},check="keys",pod="b"}`]: '1x24',
      },
      at: '5m',
    },
  },
  RedisDown: {
    fires: {
      series: {
        [`${CHECK},check="redis",pod="a"}`]: '1x60',
        [`${CHECK},check="redis",pod="b"}`]: '1x4 0x56',
      },
      at: '10m',
      summary: 'A gateway does not reach Redis.',
    },
    // A restart of Redis.
    silent: { series: { [`${CHECK},check="redis",pod="a"}`]: '1x4 0x8 1x48' }, at: '8m' },
  },
}
