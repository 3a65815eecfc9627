import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, 'dashboards/json')

/** The committed documents by uid: what was reviewed is what is deployed, and planning needs no SDK of Grafana. */
export const dashboardFiles = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(FOLDER)
      .filter((file) => file.endsWith('.json'))
      .sort()
      .map((file) => [file.replace(/\.json$/, ''), readFileSync(join(FOLDER, file), 'utf8')]),
  )
