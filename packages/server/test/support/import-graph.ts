/** Reads what the files of a source tree import, and says where that is not as the layers have it. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

export interface SourceFile {
  /** From the root of the source tree, as `app/accept.ts`. */
  readonly path: string
  readonly text: string
}

/** `from` has an import of `to`: a path in the tree, or the name of a package. */
export interface Import {
  readonly from: string
  readonly to: string
}

/**
 * What each layer may import besides itself: edge → app → orchestration → domain, and the ports that adapters
 * implement. A name is a layer or a directory of one.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'main.ts': ['compose'],
  compose: ['edge', 'adapters', 'app', 'orchestration', 'domain', 'lib'],
  edge: ['app', 'orchestration/ports', 'domain', 'lib'],
  adapters: ['app/ports', 'orchestration/ports', 'domain', 'lib'],
  app: ['orchestration', 'domain', 'lib'],
  orchestration: ['domain', 'lib'],
  domain: ['lib'],
  lib: [],
}

/** Layers whose files and types are named after what things are for, never after who makes them. */
const WITHOUT_PRODUCTS: readonly string[] = ['domain', 'orchestration', 'app']
const PRODUCTS = /docker|podman|neutron|kuryr|cinder|keystone|glance|rabbit|sqlite|postgres|mysql|maria|kysely|fastify/i
/** How it is deployed is known to nobody but the composition. */
const DEPLOYMENT_WORDS = /\b(embedded|cluster)\b/i

export function readTree(root: string): SourceFile[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: file.slice(root.length + 1), text: readFileSync(file, 'utf8') }))
}

const STATIC = /^(?:import|export)\b[^'"`;]*?\bfrom\s*'([^']+)'|^import\s+'([^']+)'/gm
const DYNAMIC = /\bimport\(\s*'([^']+)'/g

export function importsOf({ path, text }: SourceFile): Import[] {
  const named = [...text.matchAll(STATIC), ...text.matchAll(DYNAMIC)].map((match) => match[1] ?? match[2] ?? '')
  return named.map((name) => ({
    from: path,
    to: name.startsWith('.') ? posix.join(dirname(path), name) : name,
  }))
}

/** One line for each thing that is not as it should be. */
export function violations(files: readonly SourceFile[]): string[] {
  const known = new Set(files.map((file) => file.path))
  return files.flatMap((file) => [
    ...importsOf(file).flatMap((found) => forbidden(found, known)),
    ...badNames(file),
    ...badWords(file),
  ])
}

function forbidden({ from, to }: Import, known: ReadonlySet<string>): string[] {
  const layer = layerOf(from)
  const may = MAY_IMPORT[layer]
  if (may === undefined) return [`${from} is in no layer`]
  if (!known.has(to)) return forbiddenPackage(from, to)
  const ok = [layer, ...may].some((allowed) => to === allowed || to.startsWith(`${allowed}/`))
  return ok ? [] : [`${from} must not import ${to}`]
}

function forbiddenPackage(from: string, to: string): string[] {
  if (to.startsWith('.') || to.includes('../') || to.endsWith('.ts')) {
    if (to.startsWith('@zund/contract/')) return []
    return [`${from} imports ${to}, which is not there`]
  }
  // Rules are pure: no I/O, no clock, nothing that comes from outside. Their tests are not.
  const isPure = layerOf(from) === 'domain' && !from.endsWith('.test.ts')
  return isPure ? [`${from} must not import ${to}: domain is pure`] : []
}

function layerOf(path: string): string {
  return path.split('/')[0] ?? path
}

const EXPORTED_TYPE = /^export (?:abstract )?(?:class|interface|type|enum) (\w+)/gm

function badNames({ path, text }: SourceFile): string[] {
  if (!WITHOUT_PRODUCTS.includes(layerOf(path))) return []
  const types = [...text.matchAll(EXPORTED_TYPE)].map((match) => match[1] ?? '')
  return [path, ...types].filter((name) => PRODUCTS.test(name)).map((name) => `${path}: ${name} names a product`)
}

function badWords({ path, text }: SourceFile): string[] {
  if (layerOf(path) === 'compose') return []
  const found = DEPLOYMENT_WORDS.exec(text)
  return found === null ? [] : [`${path} has the word '${found[0]}', which is compose's`]
}

/** Files that import each other in a circle, the first one once more at the end; undefined: there is none. */
export function findCycle(imports: readonly Import[]): string[] | undefined {
  const next = new Map<string, string[]>()
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to])
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    path.push(file)
    for (const to of next.get(file) ?? []) {
      const cycle = visit(to)
      if (cycle !== undefined) return cycle
    }
    path.pop()
    done.add(file)
    return undefined
  }
  for (const file of next.keys()) {
    const cycle = visit(file)
    if (cycle !== undefined) return cycle
  }
  return undefined
}
