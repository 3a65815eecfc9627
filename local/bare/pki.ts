import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exec } from '../exec.ts'
import {
  type Authority,
  CERTIFICATES,
  type CertificateSpec,
  isCurrent,
  opensslArgs,
} from './certificates.ts'

const AUTHORITIES: readonly Authority[] = ['cluster', 'etcd', 'front-proxy']

/** Makes what is missing of the node's own certificates and keys; they never leave the state folder. */
export async function ensurePki(dir: string): Promise<boolean> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  let changed = false
  for (const name of AUTHORITIES) changed = (await ensureAuthority(dir, name)) || changed
  const wanted = await Promise.all(
    CERTIFICATES.map(async (spec) => ((await upToDate(dir, spec)) ? undefined : spec)),
  )
  for (const spec of wanted) if (spec) await exec('openssl', opensslArgs(spec, dir))
  const keyMade = await ensureServiceAccountKey(dir)
  const encryptionMade = await ensureFile(join(dir, 'encryption.key'), () =>
    randomBytes(32).toString('base64'),
  )
  return changed || keyMade || encryptionMade || wanted.some(Boolean)
}

async function ensureAuthority(dir: string, name: Authority): Promise<boolean> {
  const cert = join(dir, `ca-${name}.crt`)
  if (await exists(cert)) return false
  const key = join(dir, `ca-${name}.key`)
  await exec('openssl', [
    ...[
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-sha256',
    ],
    ...['-days', '3650', '-subj', `/CN=palisade ${name}`],
    ...['-addext', 'basicConstraints=critical,CA:TRUE'],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign,digitalSignature'],
    ...['-keyout', `${key}.draft`, '-out', `${cert}.draft`],
  ])
  // The certificate last: it says that both are there.
  for (const path of [key, cert]) await rename(`${path}.draft`, path)
  return true
}

async function upToDate(dir: string, spec: CertificateSpec): Promise<boolean> {
  const pem = await readFile(join(dir, `${spec.name}.crt`)).catch(() => undefined)
  const key = await readFile(join(dir, `${spec.name}.key`)).catch(() => undefined)
  if (!pem || !key) return false
  const made = wholePair(pem, key)
  if (!made) return false
  const authority = new X509Certificate(await readFile(join(dir, `ca-${spec.authority}.crt`)))
  return made.verify(authority.publicKey) && isCurrent(spec, made, new Date())
}

/** A command that was killed leaves a part of a file, or between the two a key that is not the certificate's. */
function wholePair(pem: Buffer, key: Buffer): X509Certificate | undefined {
  try {
    const made = new X509Certificate(pem)
    return made.checkPrivateKey(createPrivateKey(key)) ? made : undefined
  } catch {
    return undefined
  }
}

async function ensureServiceAccountKey(dir: string): Promise<boolean> {
  const path = join(dir, 'service-account.key')
  if (await exists(path)) return false
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  await writeWhole(
    join(dir, 'service-account.pub'),
    publicKey.export({ type: 'spki', format: 'pem' }),
  )
  // The API server reads EC keys only in their traditional form.
  await writeWhole(path, privateKey.export({ type: 'sec1', format: 'pem' }))
  return true
}

async function ensureFile(path: string, make: () => string): Promise<boolean> {
  if (await exists(path)) return false
  await writeWhole(path, make())
  return true
}

/** There or not: half a key would stay for good. */
async function writeWhole(path: string, text: string | Buffer): Promise<void> {
  await writeFile(`${path}.draft`, text, { mode: 0o600 })
  await rename(`${path}.draft`, path)
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
