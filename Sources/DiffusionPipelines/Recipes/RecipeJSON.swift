import Foundation

/// JSON whose structure is not known beforehand; whole numbers keep all 64 bits, as seeds need them.
enum RecipeJSON: Decodable {
  case null
  case truth(Bool)
  case natural(UInt64)
  case number(Double)
  case text(String)
  case list([RecipeJSON])
  case object([String: RecipeJSON])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let truth = try? value.decode(Bool.self) {
      self = .truth(truth)
    } else if let natural = try? value.decode(UInt64.self) {
      self = .natural(natural)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else if let list = try? value.decode([RecipeJSON].self) {
      self = .list(list)
    } else {
      self = .object(try value.decode([String: RecipeJSON].self))
    }
  }

  /// Reads a text; `name` is what a fault calls it.
  init(_ text: String, name: String) throws(RecipeFault) {
    do {
      self = try JSONDecoder().decode(RecipeJSON.self, from: Data(text.utf8))
    } catch {
      throw RecipeFault("\(name) is no JSON: \(error)")
    }
  }

  /// The value under a key of an object.
  subscript(_ key: String) -> RecipeJSON? {
    if case .object(let members) = self { members[key] } else { nil }
  }

  /// The value at a place of a list.
  subscript(_ index: Int) -> RecipeJSON? {
    if case .list(let items) = self, items.indices.contains(index) { items[index] } else { nil }
  }

  var text: String? { if case .text(let text) = self { text } else { nil } }
  var natural: UInt64? { if case .natural(let natural) = self { natural } else { nil } }
  var list: [RecipeJSON]? { if case .list(let items) = self { items } else { nil } }
  var truth: Bool? { if case .truth(let truth) = self { truth } else { nil } }

  var number: Double? {
    switch self {
    case .natural(let natural): Double(natural)
    case .number(let number): number
    default: nil
    }
  }

  var integer: Int? {
    switch self {
    case .natural(let natural): Int(exactly: natural)
    case .number(let number): Int(exactly: number)
    default: nil
    }
  }

  /// As it is told to a person.
  var shown: String {
    switch self {
    case .null: "null"
    case .truth(let truth): "\(truth)"
    case .natural(let natural): "\(natural)"
    case .number(let number): "\(number)"
    case .text(let text): text
    case .list(let items): "[" + items.map(\.shown).joined(separator: ", ") + "]"
    case .object(let members):
      "{"
        + members.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.shown)" }
        .joined(separator: ", ") + "}"
    }
  }
}
