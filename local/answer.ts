import { writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { HOST_PORTS } from './bare/layout.ts'
import { exec } from './exec.ts'
import { kubeconfigPath, stateDir } from './paths.ts'
import { type StepContext, until } from './steps.ts'
import { toolPath } from './tools/path.ts'

export const API_HOST = 'api.palisade.localhost'
const URL_OF_GATEWAY = `https://${API_HOST}:${HOST_PORTS.https}/`
const PATIENCE_MS = 180_000

/** The authority that signed the edge's certificate, for `curl --cacert` and for browsers. */
export const caPath = (): string => join(stateDir(), 'ca.crt')

export async function untilGatewayAnswers(context: StepContext): Promise<string> {
  const begun = Date.now()
  context.note(`asking ${URL_OF_GATEWAY}`)
  const probe = async (): Promise<number> => {
    const ca = await authority()
    const status = await statusOf(ca)
    // The keys that verify its tokens: an answer that only the gateway itself can give.
    if (status !== 200) throw new Error(`${URL_OF_GATEWAY} answered ${status}`)
    await writeFile(caPath(), ca)
    return status
  }
  const status = await until('an answer from the gateway', probe, {
    timeoutMs: PATIENCE_MS,
    everyMs: 500,
    context,
  })
  return `answers ${status} over TLS after ${((Date.now() - begun) / 1000).toFixed(1)} s`
}

async function authority(): Promise<string> {
  const kubeconfig = ['--kubeconfig', kubeconfigPath(), '-n', 'palisade-edge']
  const wanted = ['get', 'secret', 'edge-tls', '-o', 'jsonpath={.data.ca\\.crt}']
  const answer = await exec(await toolPath('kubectl'), [...kubeconfig, ...wanted])
  return Buffer.from(answer, 'base64').toString('utf8')
}

/** By address, since not every resolver knows that names under localhost are this machine. */
const statusOf = (ca: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        port: HOST_PORTS.https,
        path: '/.well-known/jwks.json',
        servername: API_HOST,
        headers: { host: API_HOST },
        ca,
        agent: false,
        timeout: 5_000,
      },
      (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      },
    )
    call.once('timeout', () => call.destroy(new Error(`${URL_OF_GATEWAY} did not answer`)))
    call.once('error', reject)
    call.end()
  })

/** What a newcomer needs next, and nothing else. */
export async function announce(): Promise<string[]> {
  const tools = join(await toolPath('kubectl'), '..')
  const curl = `curl -s --cacert ${caPath()} --resolve ${API_HOST}:${HOST_PORTS.https}:127.0.0.1`
  const login =
    'kubectl -n palisade-system exec deploy/gateway -- node gateway/main.ts development-login'
  return [
    '',
    `The gateway answers at ${URL_OF_GATEWAY} (certificate authority: ${caPath()})`,
    '',
    '  kubectl for this cluster:',
    `    export KUBECONFIG=${kubeconfigPath()} PATH=${tools}:$PATH`,
    '  a token (development login):',
    `    ${login} |`,
    `      ${curl} ${URL_OF_GATEWAY}api/v1/auth/login -H 'content-type: application/json' -d @-`,
    '  rotate a password under load: examples/rotate-postgres-password/',
    '  stop and remove everything:   make down',
  ]
}
