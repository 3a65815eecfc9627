import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { dns, row, type Row } from './row.ts'

const EXAMPLE_DIR = join(import.meta.dirname, '../../../examples/rotate-postgres-password')
const FILES = ['platform/1-namespace.yaml', 'app/2-network.yaml']

interface Manifest {
  readonly kind: string
}

/**
 * Namespace and policies of the example as its files say, since its own test may still be busy with the
 * first step, or was not asked for. They stay, as that one leaves them.
 */
export async function exampleGround(): Promise<readonly Manifest[]> {
  const texts = await Promise.all(FILES.map((file) => readFile(join(EXAMPLE_DIR, file), 'utf8')))
  return texts
    .flatMap((text) => parseAllDocuments(text))
    .map((document) => document.toJS() as Manifest)
    .filter(({ kind }) => kind === 'Namespace' || kind === 'NetworkPolicy')
}

/** A tenant's door to the database, both of its ends, and the namespace that has no other. */
export const EXAMPLE: readonly Row[] = [
  row(
    'palisade-data/in-shop-to-database',
    'consumer -> database:5432',
    'falseConsumer -> database:5432',
  ),
  {
    policy: 'shop/default-deny',
    allowed: ['node -> consumer:8080'],
    denied: [
      'stranger -> consumer:8080',
      'unnamedInShop -> consumer:8080',
      'unnamedInShop -> apiServer:6443',
      'unnamedInShop -> listener:5432',
    ],
  },
  dns('shop/allow-dns', 'unnamedInShop'),
  row(
    'shop/out-to-database',
    'consumer -> database:5432',
    'unnamedInShop -> database:5432',
    'consumer -> listener:5432',
    'consumer -> apiServer:6443',
  ),
]
