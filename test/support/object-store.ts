import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AwsClient } from 'aws4fetch'
import { request, Agent } from 'undici'
import { ObjectStore, type ObjectStoreAddress } from '../../gateway/sealer/object-store.ts'
import { Sealed } from '../../core/sealed.ts'
import { buildTools } from '../../local/tools/build.ts'
import { toolPath } from '../../local/tools/path.ts'
import { makeAuthority } from './certificates.ts'
import { freePorts, inTime, startChild, until, type Child } from './child.ts'

/** A real S3 server (versitygw over a folder) with TLS and one bucket; gone after `stop()`. */
export interface TestObjectStore {
  readonly address: ObjectStoreAddress
  readonly ca: string
  /** Folder with access-key-id, secret-access-key and ca.crt, as a Secret is mounted. */
  readonly credentials: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** A client of the bucket, or of another one that need not exist. */
  client(over?: Partial<ObjectStoreAddress>): ObjectStore
  /** Keys and texts of everything in the bucket, in the order of the keys. */
  objects(): Promise<readonly { readonly key: string; readonly text: string }[]>
  /** What an administrator of the bucket does, past every condition. */
  overwrite(key: string, text: string): Promise<void>
  /** SIGSTOP: connections stay open and nothing answers. */
  freeze(): void
  thaw(): void
  /** SIGKILL; what was written stays. */
  kill(): Promise<void>
  revive(): Promise<void>
  stop(): Promise<void>
}

const BUCKET = 'palisade-audit'
const REGION = 'eu-central-1'

/** @param lock the bucket keeps every version for a day, whoever wants to delete it (Object Lock, compliance) */
export async function startObjectStore({ lock = false } = {}): Promise<TestObjectStore> {
  const program = await builtProgram()
  const dir = await mkdtemp(join(tmpdir(), 'palisade-object-store-'))
  const inDir = (name: string) => join(dir, name)
  const [data, meta, versions] = [inDir('data'), inDir('meta'), inDir('versions')]
  const credentials = inDir('credentials')
  // A folder is a bucket; one with a lock is made by the API.
  const folders = [data, meta, versions, credentials, ...(lock ? [] : [join(data, BUCKET)])]
  for (const path of folders) await mkdir(path)
  const authority = await makeAuthority(join(dir, 'tls'))
  const own = await authority.issue('object-store')
  const accessKeyId = `AK${randomBytes(8).toString('hex')}`
  const secretAccessKey = randomBytes(24).toString('base64url')
  const write = (name: string, text: string) => writeFile(join(credentials, name), text)
  await write('access-key-id', accessKeyId)
  await write('secret-access-key', `${secretAccessKey}\n`)
  await write('ca.crt', authority.ca)
  const [port = 0] = await freePorts(1)
  const endpoint = `https://localhost:${port}`
  const agent = new Agent({ connect: { ca: authority.ca } })
  let child: Child

  async function revive(): Promise<void> {
    const global = ['--port', `127.0.0.1:${port}`, '--region', REGION, '--quiet']
    const tls = ['--cert', own.certPath, '--key', own.keyPath]
    const keepsVersions = lock ? ['--versioning-dir', versions] : []
    const posix = ['posix', ...keepsVersions, '--sidecar', meta, data]
    // The credential goes by the environment: a process list is no place for it.
    child = startChild(program, [...global, ...tls, ...posix], join(dir, 'server.log'), {
      ROOT_ACCESS_KEY_ID: accessKeyId,
      ROOT_SECRET_ACCESS_KEY: secretAccessKey,
    })
    await until('readiness of the object store', 30_000, async () => {
      await child.assertRunning()
      return request(endpoint, { dispatcher: agent, signal: inTime() }).then(
        async ({ body }) => (await body.dump(), true),
        () => false,
      )
    })
  }

  await revive()
  if (lock) {
    const signer = new AwsClient({ accessKeyId, secretAccessKey, region: REGION, service: 's3' })
    await makeLockedBucket(async (path, headers, body) => {
      const init = { method: 'PUT', headers, ...(body === undefined ? {} : { body }) }
      const signed = await signer.sign(`${endpoint}/${path}`, init)
      const sent = Object.fromEntries(signed.headers)
      const answer = await request(signed.url, {
        ...{ method: 'PUT', headers: sent, body: body ?? null, dispatcher: agent },
      })
      await answer.body.dump()
      if (answer.statusCode !== 200) throw new Error(`PUT ${path}: ${answer.statusCode}`)
    })
  }
  const address = { endpoint, bucket: BUCKET, region: REGION, prefix: '', pathStyle: true }
  const client = (over: Partial<ObjectStoreAddress> = {}) =>
    new ObjectStore({ ...address, ...over }, async () => ({
      accessKeyId,
      secretAccessKey: Sealed.of(secretAccessKey),
      ca: authority.ca,
    }))
  const bucket = join(data, BUCKET)
  return {
    address,
    ca: authority.ca,
    credentials,
    accessKeyId,
    secretAccessKey,
    client,
    async objects() {
      const found = await readdir(bucket, { recursive: true, withFileTypes: true })
      const paths = found
        .filter((entry) => entry.isFile() && entry.name.endsWith('.note'))
        .map((entry) => join(entry.parentPath, entry.name))
        .sort()
      return Promise.all(
        paths.map(async (path) => ({
          key: path.slice(bucket.length + 1),
          text: await readFile(path, 'utf8'),
        })),
      )
    },
    async overwrite(key, text) {
      const store = client()
      const there = await store.get(key)
      await store.put(key, text, there?.etag === undefined ? 'absent' : { etag: there.etag })
      await store.close()
    },
    freeze: () => process.kill(child.pid, 'SIGSTOP'),
    thaw: () => process.kill(child.pid, 'SIGCONT'),
    async kill() {
      process.kill(child.pid, 'SIGKILL')
      await child.stop()
    },
    revive,
    async stop() {
      // It may be dead already.
      await child.assertRunning().then(
        () => process.kill(child.pid, 'SIGCONT'),
        () => undefined,
      )
      await child.stop()
      await agent.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

const RULE = `<ObjectLockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode>
<Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>`

async function makeLockedBucket(
  put: (path: string, headers: Record<string, string>, body?: string) => Promise<void>,
): Promise<void> {
  await put(BUCKET, { 'x-amz-bucket-object-lock-enabled': 'true' })
  const sum = createHash('md5').update(RULE).digest('base64')
  await put(`${BUCKET}?object-lock`, { 'content-md5': sum }, RULE)
}

/** Compiled where it is missing: `make up` does without it. */
async function builtProgram(): Promise<string> {
  if (!process.env['PALISADE_TOOLS']) {
    const signal = AbortSignal.timeout(600_000)
    await buildTools('test', { note: (line) => console.log(line), signal })
  }
  return toolPath('versitygw')
}
