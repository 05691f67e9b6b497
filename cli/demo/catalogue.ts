/** What the demonstration sells. Prices are fixed, so that two demonstrations at the same time do not argue about them. */

export interface CatalogueItem {
  readonly sku: string
  readonly name: string
  /** Minor units of EUR. */
  readonly amount: number
}

/** Never scarce: the order by hand is for it. */
export const LAMP: CatalogueItem = { sku: 'LAMP', name: 'Desk lamp', amount: 1_999 }

const named: readonly CatalogueItem[] = [
  LAMP,
  { sku: 'CHAIR', name: 'Oak chair', amount: 8_950 },
  { sku: 'MUG', name: 'Blue mug', amount: 890 },
  { sku: 'BLANKET', name: 'Wool blanket', amount: 4_500 },
  { sku: 'CLOCK', name: 'Wall clock', amount: 3_250 },
  { sku: 'SHELF', name: 'Book shelf', amount: 12_900 },
  { sku: 'VASE', name: 'Glass vase', amount: 2_475 },
  { sku: 'PEN', name: 'Fountain pen', amount: 1_590 },
  { sku: 'RUG', name: 'Small rug', amount: 6_499 },
  { sku: 'KETTLE', name: 'Kettle', amount: 3_999 },
  { sku: 'BASKET', name: 'Basket', amount: 1_250 },
  { sku: 'MIRROR', name: 'Round mirror', amount: 5_400 },
]

/** The first `count` products: the named ones, then numbered ones. */
export function catalogueOf(count: number): CatalogueItem[] {
  return Array.from({ length: count }, (_, index) => {
    const number = String(index + 1).padStart(3, '0')
    return named[index] ?? { sku: `ITEM-${number}`, name: `Item ${number}`, amount: 500 + ((index * 379) % 9_500) }
  })
}
