/** A binary heap in which each item stores its index, so that items can be moved and removed. */

export interface HeapItem {
  /** Sort key, lowest first. It must be changed only with `put`. */
  due: number
  /** Index in the heap, or -1. Managed by the heap. */
  heapIndex: number
}

export class DueHeap<T extends HeapItem> {
  readonly #items: T[] = []

  get first(): T | undefined {
    return this.#items[0]
  }

  /** Adds the item, or moves it according to its new `due`. */
  put(item: T, due: number): void {
    item.due = due
    if (item.heapIndex < 0) item.heapIndex = this.#items.push(item) - 1
    this.#rise(item)
    this.#sink(item)
  }

  /** Removes the item, if it is in the heap. */
  remove(item: T): void {
    if (item.heapIndex < 0) return
    const last = this.#items.pop() as T
    if (last !== item) {
      this.#set(item.heapIndex, last)
      this.#rise(last)
      this.#sink(last)
    }
    item.heapIndex = -1
  }

  #set(place: number, item: T): void {
    this.#items[place] = item
    item.heapIndex = place
  }

  #rise(item: T): void {
    while (item.heapIndex > 0) {
      const place = item.heapIndex
      const parent = this.#items[(place - 1) >> 1] as T
      if (parent.due <= item.due) return
      this.#set((place - 1) >> 1, item)
      this.#set(place, parent)
    }
  }

  #sink(item: T): void {
    for (;;) {
      const place = item.heapIndex
      const child = this.#smallerChild(place)
      if (!child || child.due >= item.due) return
      this.#set(child.heapIndex, item)
      this.#set(place, child)
    }
  }

  #smallerChild(place: number): T | undefined {
    const left = this.#items[2 * place + 1]
    const right = this.#items[2 * place + 2]
    return left && right && right.due < left.due ? right : left
  }
}
