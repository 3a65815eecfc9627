import { KubeApi } from '../provider/kubernetes/api.ts'
import { connect } from '../provider/kubernetes/connect.ts'

/** The API server itself gives up on a request after a minute. */
const ANSWER_WITHIN_MS = 65_000

/** Lets `act` speak with the cluster's API server, and closes its connections afterwards. */
export async function withCluster<T>(
  kubeconfig: string,
  act: (api: KubeApi) => Promise<T>,
  answerWithinMs = ANSWER_WITHIN_MS,
): Promise<T> {
  const api = new KubeApi(await connect({ kubeconfig }), answerWithinMs)
  try {
    return await act(api)
  } finally {
    await api.close()
  }
}
