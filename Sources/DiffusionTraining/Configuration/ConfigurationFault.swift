/// What is wrong with a configuration's tree, and where: a dotted path of keys.
struct ConfigurationFault: Error {
  let key: String
  let problem: String

  init(path: [any CodingKey], problem: String) {
    key = path.map(\.stringValue.snakeCased).joined(separator: ".")
    self.problem = problem
  }

  /// A key that nothing asked for.
  init(path: [any CodingKey], unknown: String, declared: Set<String>) {
    let place = path.map(\.stringValue.snakeCased)
    key = (place + [unknown]).joined(separator: ".")
    let nearest = declared.min {
      ($0.editDistance(to: unknown), $0) < ($1.editDistance(to: unknown), $1)
    }
    problem = nearest.map { "unknown key; the nearest known one is \"\($0)\"" } ?? "unknown key"
  }
}

extension String {
  /// `blockOutChannels` as `block_out_channels`; what is in snake case already stays.
  var snakeCased: String {
    reduce(into: "") { result, character in
      if character.isUppercase {
        if !result.isEmpty { result += "_" }
        result += character.lowercased()
      } else {
        result.append(character)
      }
    }
  }

  /// How many insertions, deletions and replacements of a character lead to `other` (Levenshtein, 1966).
  func editDistance(to other: String) -> Int {
    let (own, others) = (Array(self), Array(other))
    var row = Array(0...others.count)
    for (i, character) in own.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, candidate) in others.enumerated() {
        let replaced = diagonal + (character == candidate ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = Swift.min(replaced, diagonal + 1, row[j] + 1)
      }
    }
    return row[others.count]
  }
}
