// `npx node examples/rotate-postgres-password/apply.ts [--image control=<reference>] [--delete]`
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { kubeconfigPath, stateDir } from '../../local/paths.ts'
import { isBuilt, plannedPath } from '../../local/tools/path.ts'

const HERE = import.meta.dirname
const { values } = parseArgs({
  options: {
    image: { type: 'string', multiple: true, default: [] },
    delete: { type: 'boolean', default: false },
  },
})

/** The platform of this machine if it has one, otherwise whatever kubectl is set up for. */
const local = existsSync(kubeconfigPath())
const planned = await plannedPath('kubectl')
const program = (await isBuilt(planned)) ? planned : 'kubectl'

function kubectl(args: readonly string[], input = ''): Promise<string> {
  const all = [...(local ? ['--kubeconfig', kubeconfigPath()] : []), ...args]
  return new Promise((resolve, reject) => {
    const child = execFile(program, all, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr.trim() || error.message))
      else resolve(stdout)
    })
    child.stdin?.end(input)
  })
}

/** `$(image control)` in a manifest stands for the reference under which this cluster knows that image. */
async function images(): Promise<ReadonlyMap<string, string>> {
  const file = join(stateDir(), 'images.json')
  const known = existsSync(file)
    ? (JSON.parse(await readFile(file, 'utf8')) as Record<string, string>)
    : {}
  const named = values.image.map((pair) => pair.split('=') as [string, string])
  return new Map([...Object.entries(known), ...named])
}

async function manifests(folder: string): Promise<string> {
  const references = await images()
  const files = (await readdir(join(HERE, folder))).filter((file) => file.endsWith('.yaml')).sort()
  const texts = await Promise.all(files.map((file) => readFile(join(HERE, folder, file), 'utf8')))
  return texts.join('\n---\n').replace(/\$\(image ([a-z-]+)\)/g, (_whole, name: string) => {
    const reference = references.get(name)
    if (reference === undefined)
      throw new Error(`image "${name}" is not known: give --image ${name}=…`)
    return reference
  })
}

/** What the files say holds, whatever somebody tried out meanwhile. */
const applyText = async (text: string) =>
  process.stdout.write(
    await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], text),
  )

/** A ConfigMap whose keys are files; made here so that the programs stay files that one can read and run. */
async function configMap(name: string, data: Readonly<Record<string, string>>): Promise<void> {
  const metadata = { name, namespace: 'shop' }
  await applyText(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }))
}

async function up(): Promise<void> {
  // A Job cannot be changed, and its image may be another one than last time.
  const jobs = ['job', 'open-shop', 'enrol-shop-orders', '-n', 'palisade-system']
  await kubectl(['delete', '--ignore-not-found', ...jobs])
  await applyText(await manifests('platform'))
  const wait = ['wait', '--for=condition=complete', '--timeout=180s', '-n', 'palisade-system']
  process.stdout.write(await kubectl([...wait, 'job/open-shop', 'job/enrol-shop-orders']))
  const authority = await kubectl([
    ...['get', 'secret', 'operator-tls', '-n', 'palisade-system'],
    ...['-o', 'jsonpath={.data.ca\\.crt}'],
  ])
  await configMap('platform-ca', { 'ca.crt': Buffer.from(authority, 'base64').toString() })
  const files = await readdir(join(HERE, 'programs'))
  const programs = files.map(async (file) => [
    file,
    await readFile(join(HERE, 'programs', file), 'utf8'),
  ])
  await configMap(
    'programs',
    Object.fromEntries(await Promise.all(programs)) as Record<string, string>,
  )
  await applyText(await manifests('app'))
}

async function down(): Promise<void> {
  const gone = ['delete', '--ignore-not-found', '-f', '-']
  for (const folder of ['app', 'platform']) {
    process.stdout.write(await kubectl(gone, await manifests(folder)))
  }
}

await (values.delete ? down() : up())
