import { readFileSync } from 'node:fs'

/** Queries of our own for the exporter of CloudNativePG. */
export const EXPORTER_QUERIES = { name: 'postgres-metrics', key: 'queries.json' } as const

const OUTSIDE = readFileSync(new URL('./connections-from-outside.sql', import.meta.url), 'utf8')

/** As the exporter reads them; JSON is YAML. The networks of pods were checked with the configuration. */
export const exporterQueries = (podCidrs: readonly string[]): string =>
  JSON.stringify({
    palisade_outside: {
      query: OUTSIDE.replace('{pods}', podCidrs.join(',')),
      metrics: [
        {
          connections: {
            usage: 'GAUGE',
            description: 'Sessions whose client is no pod of this cluster',
          },
        },
      ],
    },
  })
