const GREEK =
  'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi psi omega'.split(
    ' ',
  )

/** `zeta-22-container`: a Greek letter and a number from 1 to 24. */
export function generatedName(random: () => number = Math.random): string {
  return `${letterAndNumber(random)}-container`
}

/** `zeta-22` */
export function letterAndNumber(random: () => number = Math.random): string {
  const letter = GREEK[Math.floor(random() * GREEK.length)] ?? 'alpha'
  return `${letter}-${1 + Math.floor(random() * 24)}`
}
