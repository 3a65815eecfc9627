import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Certificate {
  readonly cert: string
  readonly key: string
  readonly certPath: string
  readonly keyPath: string
}

/** A private authority for one test, so that every listener is checked as in a cluster. */
export interface Authority {
  readonly ca: string
  readonly caPath: string
  issue(commonName: string, names?: readonly string[]): Promise<Certificate>
}

export async function makeAuthority(dir: string): Promise<Authority> {
  await mkdir(dir, { recursive: true })
  const at = (file: string) => join(dir, file)
  const openssl = (...args: readonly string[]) => run('openssl', args)
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const self = ['-x509', '-days', '2', '-subj', '/CN=test authority']
  await openssl('req', ...self, ...newKey, '-keyout', at('ca.key'), '-out', at('ca.crt'))
  return {
    ca: await readFile(at('ca.crt'), 'utf8'),
    caPath: at('ca.crt'),
    async issue(commonName, names = ['DNS:localhost', 'IP:127.0.0.1']) {
      const file = (extension: string) => at(`${commonName}.${extension}`)
      const subject = ['-subj', `/CN=${commonName}`]
      await openssl('req', ...newKey, ...subject, '-keyout', file('key'), '-out', file('csr'))
      await writeFile(file('ext'), `subjectAltName=${names.join(',')}\n`)
      const signer = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2']
      const out = ['-in', file('csr'), '-extfile', file('ext'), '-out', file('crt')]
      await openssl('x509', '-req', ...signer, ...out)
      const [cert, key] = await Promise.all(
        [file('crt'), file('key')].map((path) => readFile(path, 'utf8')),
      )
      return { cert: cert ?? '', key: key ?? '', certPath: file('crt'), keyPath: file('key') }
    },
  }
}
