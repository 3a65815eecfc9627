// `node local/images/main.ts [name…]`: builds images without a cluster and prints their references.
import { explain } from '../errors.ts'
import { cacheDir, stateDir } from '../paths.ts'
import { toolPath } from '../tools/path.ts'
import { ensureImages } from './ensure.ts'

const only = process.argv.slice(2)

try {
  const images = await ensureImages({
    cacheDir: cacheDir(),
    stateDir: stateDir(),
    toolPath,
    context: {
      note: (message) => console.error(`  … ${message}`),
      signal: new AbortController().signal,
    },
    ...(only.length > 0 ? { only } : {}),
  })
  for (const { name, reference } of images) console.log(`${name}\t${reference}`)
} catch (error) {
  console.error(explain(error))
  process.exitCode = 1
}
