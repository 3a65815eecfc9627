import type { Peer } from './peers.ts'
import { dns, row, type Row, type Try } from './row.ts'

/** A policy of an operator may say "everything outside the cluster's pods", the kubelet included. */
const operator = (namespace: string, pod: Peer, stranger: Try): readonly Row[] => [
  {
    policy: `${namespace}/default-deny`,
    allowed: [`${pod} -> apiServer:6443`],
    denied: [`${pod} -> listener:5432`, `${pod} -> redis:6379`, stranger],
  },
  dns(`${namespace}/dns`, pod),
  row(
    `${namespace}/api-server`,
    `${pod} -> apiServer:6443`,
    `${pod} -> listener:6443`,
    `${pod} -> kubelet:10250`,
  ),
]

export const OPERATORS: readonly Row[] = [
  ...operator('cert-manager', 'certManager', 'stranger -> certManager:9402'),
  row(
    'cert-manager/metrics',
    'prometheus -> certManager:9402',
    'stranger -> certManager:9402',
    'falsePrometheus -> certManager:9402',
  ),
  row(
    'cert-manager/webhook',
    'node -> certWebhook:10250',
    'stranger -> certWebhook:10250',
    'gateway -> certWebhook:10250',
  ),
  ...operator('cnpg-system', 'databaseOperator', 'stranger -> databaseOperator:9443'),
  row(
    'cnpg-system/postgres-instances',
    'databaseOperator -> database:5432',
    'databaseOperator -> listener:5432',
    'databaseOperator -> database:9187',
  ),
  row(
    'cnpg-system/webhook',
    'node -> databaseOperator:9443',
    'stranger -> databaseOperator:9443',
    'gateway -> databaseOperator:9443',
  ),
  ...operator('prometheus-operator', 'prometheusOperator', 'stranger -> prometheusOperator:8080'),
]
