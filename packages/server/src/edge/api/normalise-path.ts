/**
 * The path as the router knows it. Nothing is redirected, since a redirect loses the body of a POST.
 *
 * Empty parts go (tempest asks `/v1/containers//<uuid>`), a `.json` of the last part goes, a mount prefix `/container`
 * goes, and a path that does not begin with the version gets it (bookmark links).
 */
export function normalisePath(path: string): string {
  let parts = path.split('/').filter((part) => part !== '')
  if (parts[0] === 'container') parts = parts.slice(1)
  const last = parts.at(-1)
  if (last?.endsWith('.json') === true && last !== '.json') parts[parts.length - 1] = last.slice(0, -'.json'.length)
  if (parts.length === 0) return '/'
  if (parts[0] !== 'v1') parts.unshift('v1')
  return `/${parts.join('/')}`
}
