/// Normalisation form C (Unicode Standard Annex 15) over code points.
enum CanonicalComposition {
  /// The normal form. Linear, but for sorting the marks that stand behind one letter.
  static func normalized(_ scalars: [UInt32]) -> [UInt32] {
    let table = UnicodeProperties.table
    guard scalars.contains(where: table.isUnstable) else { return scalars }
    var text: [UInt32] = []
    text.reserveCapacity(scalars.count)
    for scalar in scalars { decompose(scalar, into: &text, table) }
    sortMarks(&text, table)
    return composed(text, table)
  }

  private static func decompose(
    _ scalar: UInt32, into text: inout [UInt32], _ table: UnicodeProperties
  ) {
    if let parts = Hangul.decomposition(scalar) {
      text += parts
    } else if scalar >= 0xC0, let parts = table.decomposition(scalar) {
      decompose(parts.first, into: &text, table)
      if let second = parts.second { decompose(second, into: &text, table) }
    } else {
      text.append(scalar)
    }
  }

  /// Puts every run of marks in the order of their classes; equal ones keep theirs.
  private static func sortMarks(_ text: inout [UInt32], _ table: UnicodeProperties) {
    var start = 0
    while start < text.count {
      guard table.combiningClass(text[start]) != 0 else {
        start += 1
        continue
      }
      var end = start + 1
      while end < text.count, table.combiningClass(text[end]) != 0 { end += 1 }
      if end > start + 1 {
        let keyed = text[start..<end].enumerated().map {
          (key: UInt64(table.combiningClass($0.element)) << 32 | UInt64($0.offset), $0.element)
        }
        text.replaceSubrange(start..<end, with: keyed.sorted { $0.key < $1.key }.map(\.1))
      }
      start = end
    }
  }

  /// Joins each starter with what follows it, unless a mark of the same or a higher class stands between.
  private static func composed(_ text: [UInt32], _ table: UnicodeProperties) -> [UInt32] {
    var result: [UInt32] = []
    result.reserveCapacity(text.count)
    var starter: Int?
    var lastClass: UInt8 = 0
    for scalar in text {
      let value = table.combiningClass(scalar)
      if let place = starter {
        let isAdjacent = place == result.count - 1
        if isAdjacent || (lastClass < value && lastClass != 0),
          let joined = Hangul.composition(result[place], scalar)
            ?? table.composition(result[place], scalar)
        {
          result[place] = joined
          continue
        }
      }
      if value == 0 { starter = result.count }
      lastClass = value
      result.append(scalar)
    }
    return result
  }
}

/// Syllables of Hangul, which compose by arithmetic (The Unicode Standard, section 3.12).
private enum Hangul {
  static let (leads, vowels, trails): (UInt32, UInt32, UInt32) = (0x1100, 0x1161, 0x11A7)
  static let syllables: UInt32 = 0xAC00
  static let (leadCount, vowelCount, trailCount): (UInt32, UInt32, UInt32) = (19, 21, 28)

  static func decomposition(_ scalar: UInt32) -> [UInt32]? {
    guard scalar >= syllables, scalar < syllables + leadCount * vowelCount * trailCount else {
      return nil
    }
    let index = scalar - syllables
    let trail = index % trailCount
    let pair = [
      leads + index / (vowelCount * trailCount),
      vowels + index % (vowelCount * trailCount) / trailCount,
    ]
    return trail == 0 ? pair : pair + [trails + trail]
  }

  static func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if (leads..<leads + leadCount).contains(first), (vowels..<vowels + vowelCount).contains(second)
    {
      return syllables + ((first - leads) * vowelCount + second - vowels) * trailCount
    }
    if (syllables..<syllables + leadCount * vowelCount * trailCount).contains(first),
      (first - syllables) % trailCount == 0, (trails + 1..<trails + trailCount).contains(second)
    {
      return first + second - trails
    }
    return nil
  }
}
