/** A catalogue of texts: the English one, the Spanish one. */
export type Pairs = Readonly<Record<string, readonly [en: string, es: string]>>
