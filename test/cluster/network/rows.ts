import { EXAMPLE } from './example-rows.ts'
import { OPERATORS } from './operator-rows.ts'
import { apiServer, dns, row, type Row } from './row.ts'

const SYSTEM: readonly Row[] = [
  {
    policy: 'palisade-system/default-deny',
    allowed: ['node -> gateway:3000'],
    denied: [
      'unnamedInSystem -> gateway:3000',
      'unnamedInSystem -> database:5432',
      'unnamedInSystem -> apiServer:6443',
    ],
  },
  dns('palisade-system/allow-dns', 'unnamedInSystem'),
  {
    policy: 'palisade-system/gateway',
    allowed: [
      'edge -> gateway:3000',
      'operator -> gateway:3443',
      'prometheus -> gateway:9464',
      'gateway -> database:5432',
      'gateway -> redis:6379',
      'gateway -> openbao:8200',
      'gateway -> apiServer:6443',
      'gateway -> dns:53/udp',
    ],
    denied: [
      'falseEdge -> gateway:3000',
      'edge -> gateway:3443',
      'unnamedInSystem -> gateway:3443',
      'sealer -> gateway:3443',
      'falseOperator -> gateway:3443',
      'edge -> gateway:9464',
      'falsePrometheus -> gateway:9464',
      'gateway -> listener:5432',
      'gateway -> database:8000',
      'gateway -> kubelet:10250',
    ],
  },
  {
    policy: 'palisade-system/operator',
    allowed: [
      'prometheus -> operator:9464',
      'operator -> openbao:8200',
      'operator -> database:5432',
      'operator -> apiServer:6443',
    ],
    denied: [
      'falsePrometheus -> operator:9464',
      'operator -> redis:6379',
      'operator -> gateway:3000',
      'operator -> listener:5432',
      'operator -> kubelet:10250',
    ],
  },
  {
    policy: 'palisade-system/sealer',
    allowed: [
      'prometheus -> sealer:9464',
      'sealer -> database:5432',
      'sealer -> openbao:8200',
      'sealer -> dns:53/udp',
    ],
    denied: [
      'falsePrometheus -> sealer:9464',
      'sealer -> redis:6379',
      'sealer -> listener:8200',
      'sealer -> apiServer:6443',
    ],
  },
  row(
    'palisade-system/out-migrator-to-database',
    'migrate -> database:5432',
    'migrate -> listener:5432',
    'migrate -> apiServer:6443',
  ),
  row(
    'palisade-system/out-onboarder-to-openbao',
    'onboard -> openbao:8200',
    'onboard -> listener:8200',
    'onboard -> apiServer:6443',
  ),
  apiServer('palisade-system/redis-users-to-api-server', 'redisUsers'),
]

const EDGE: readonly Row[] = [
  {
    policy: 'palisade-edge/default-deny',
    allowed: ['node -> edge:8081'],
    denied: ['stranger -> edge:8081', 'edge -> database:5432'],
  },
  dns('palisade-edge/allow-dns', 'edge'),
  row(
    'palisade-edge/entrance',
    'node -> edge:8443',
    'stranger -> edge:8443',
    'stranger -> edge:8080',
    'gateway -> edge:8443',
  ),
  row(
    'palisade-edge/out-edge-to-gateway',
    'edge -> gateway:3000',
    'edge -> listener:3000',
    'edge -> operator:9464',
  ),
]

const DATA: readonly Row[] = [
  {
    policy: 'palisade-data/default-deny',
    allowed: ['node -> redis:6379'],
    denied: ['stranger -> redis:6379', 'redis -> listener:6379', 'redis -> apiServer:6443'],
  },
  dns('palisade-data/allow-dns', 'redis'),
  apiServer('palisade-data/database-to-api-server', 'database'),
  row(
    'palisade-data/in-database-operator',
    'databaseOperator -> database:8000',
    'stranger -> database:8000',
  ),
  row(
    'palisade-data/in-database-replication',
    'replica -> database:5432',
    'falseReplica -> database:5432',
    'redis -> database:5432',
  ),
  row(
    'palisade-data/out-database-replication',
    'replica -> database:8000',
    'replica -> listener:8000',
    'replica -> redis:6379',
  ),
  row(
    'palisade-data/in-gateway-to-database',
    'gateway -> database:5432',
    'falseGateway -> database:5432',
  ),
  row(
    'palisade-data/in-sealer-to-database',
    'sealer -> database:5432',
    'falseSealer -> database:5432',
  ),
  row(
    'palisade-data/in-operator-to-database',
    'operator -> database:5432',
    'falseOperator -> database:5432',
  ),
  row(
    'palisade-data/in-migrator-to-database',
    'migrate -> database:5432',
    'falseMigrate -> database:5432',
  ),
  row(
    'palisade-data/in-scrape-database',
    'prometheus -> database:9187',
    'falsePrometheus -> database:9187',
    'prometheus -> database:5432',
  ),
  row(
    'palisade-data/in-gateway-to-redis',
    'gateway -> redis:6379',
    'falseGateway -> redis:6379',
    'sealer -> redis:6379',
  ),
]

const VAULT: readonly Row[] = [
  {
    policy: 'palisade-vault/default-deny',
    allowed: ['node -> openbao:8200'],
    denied: ['stranger -> openbao:8200', 'openbao -> listener:8200', 'openbao -> database:5432'],
  },
  dns('palisade-vault/allow-dns', 'openbao'),
  row(
    'palisade-vault/in-gateway-to-openbao',
    'gateway -> openbao:8200',
    'falseGateway -> openbao:8200',
    'edge -> openbao:8200',
  ),
  row(
    'palisade-vault/in-sealer-to-openbao',
    'sealer -> openbao:8200',
    'falseSealer -> openbao:8200',
  ),
  row(
    'palisade-vault/in-operator-to-openbao',
    'operator -> openbao:8200',
    'falseOperator -> openbao:8200',
  ),
  row(
    'palisade-vault/in-onboarder-to-openbao',
    'onboard -> openbao:8200',
    'falseOnboard -> openbao:8200',
    'migrate -> openbao:8200',
  ),
  apiServer('palisade-vault/openbao-to-api-server', 'openbao'),
  apiServer('palisade-vault/seal-key-to-api-server', 'sealKey'),
]

const MONITORING: readonly Row[] = [
  {
    policy: 'palisade-monitoring/default-deny',
    allowed: ['node -> prometheus:9090'],
    denied: ['stranger -> prometheus:9090', 'alertmanager -> listener:9093'],
  },
  dns('palisade-monitoring/allow-dns', 'alertmanager'),
  row(
    'palisade-monitoring/in-alerts',
    'prometheus -> alertmanager:9093',
    'falsePrometheus -> alertmanager:9093',
  ),
  row(
    'palisade-monitoring/out-alerts',
    'prometheus -> alertmanager:9093',
    'prometheus -> listener:9093',
  ),
  row(
    'palisade-monitoring/out-scrape-cert-manager',
    'prometheus -> certManager:9402',
    'prometheus -> certWebhook:10250',
  ),
  row(
    'palisade-monitoring/out-scrape-database',
    'prometheus -> database:9187',
    'prometheus -> listener:9187',
    'prometheus -> database:8000',
  ),
  row(
    'palisade-monitoring/out-scrape-gateway',
    'prometheus -> gateway:9464',
    'prometheus -> listener:9464',
    'prometheus -> gateway:3000',
  ),
  row(
    'palisade-monitoring/out-scrape-operator',
    'prometheus -> operator:9464',
    'alertmanager -> operator:9464',
  ),
  row(
    'palisade-monitoring/out-scrape-sealer',
    'prometheus -> sealer:9464',
    'alertmanager -> sealer:9464',
  ),
  apiServer('palisade-monitoring/prometheus-to-api-server', 'prometheus'),
]

/** One row for each NetworkPolicy: what it lets through, and what it must not. */
export const ROWS: readonly Row[] = [
  ...SYSTEM,
  ...EDGE,
  ...DATA,
  ...VAULT,
  ...MONITORING,
  ...OPERATORS,
  ...EXAMPLE,
]
