/** Something to compute that takes its time: primes, counted by trying every divisor. */

export function countPrimes(from: number, to: number): number {
  let count = 0
  for (let number = from; number < to; number++) if (isPrime(number)) count += 1
  return count
}

function isPrime(number: number): boolean {
  if (number < 4) return number > 1
  if (number % 2 === 0) return false
  for (let divisor = 3; divisor * divisor <= number; divisor += 2) if (number % divisor === 0) return false
  return true
}
