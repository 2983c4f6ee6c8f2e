import type { OpenStackCall } from '../../openstack/call.ts'
import { OpenStackUnreachable } from '../../openstack/errors.ts'
import { recordsIn, textIn, type JsonRecord } from '../../openstack/json.ts'

type Query = NonNullable<OpenStackCall['query']>

/** Of the smallest size that makes sense they hold what a project has. */
const MOST_PAGES = 200

/**
 * All of a list of which one answer may be a part (pagination_max_limit). A part must not be taken for all of it: what is
 * not found is made. Only the place where the next begins is taken from a link, since it may name an address that is
 * not ours to ask.
 */
export async function allPages(
  name: string,
  query: Query,
  ask: (query: Query) => Promise<unknown>,
): Promise<JsonRecord[]> {
  const found: JsonRecord[] = []
  let next: Query | undefined = query
  for (let pages = 0; next !== undefined; pages += 1) {
    if (pages === MOST_PAGES) throw new OpenStackUnreachable('network', `has more than ${MOST_PAGES} pages of ${name}`)
    const body = await ask(next)
    found.push(...recordsIn(body, name))
    next = after(body, name, query)
  }
  return found
}

function after(body: unknown, name: string, query: Query): Query | undefined {
  const link = recordsIn(body, `${name}_links`).find(({ rel }) => rel === 'next')
  const href = textIn(link, 'href') ?? ''
  if (!URL.canParse(href)) return undefined
  const { searchParams } = new URL(href)
  const [marker, limit] = [searchParams.get('marker'), searchParams.get('limit')]
  return marker === null ? undefined : { ...query, marker, ...(limit === null ? {} : { limit }) }
}
