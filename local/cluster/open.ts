import { KubeApi } from '../provider/kubernetes/api.ts'
import { connect } from '../provider/kubernetes/connect.ts'

/** A server that is busy dying never answers; whoever waits for one asks again. */
const ANSWER_WITHIN_MS = 20_000

/** Lets `act` speak with the cluster's API server, and closes its connections afterwards. */
export async function withCluster<T>(
  kubeconfig: string,
  act: (api: KubeApi) => Promise<T>,
): Promise<T> {
  const api = new KubeApi(await connect({ kubeconfig }), ANSWER_WITHIN_MS)
  try {
    return await act(api)
  } finally {
    await api.close()
  }
}
