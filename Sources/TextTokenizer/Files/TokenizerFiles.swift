/// `tokenizer.json`, as far as CLIP's needs it.
struct TokenizerFile: Decodable {
  struct Model: Decodable {
    var type: String?
    var vocab: [String: Int]
    var merges: [Merge]
    var endOfWord: String?

    enum CodingKeys: String, CodingKey {
      case type, vocab, merges
      case endOfWord = "end_of_word_suffix"
    }
  }

  /// Two tokens: an array of both, or in older files one text with a space between.
  struct Merge: Decodable {
    let pair: (String, String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      let words: [String]
      if let text = try? container.decode(String.self) {
        words = text.split(separator: " ").map(String.init)
      } else {
        words = try container.decode([String].self)
      }
      guard words.count == 2 else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "expected two tokens, found \(words.count)")
      }
      pair = (words[0], words[1])
    }
  }

  var model: Model
  var addedTokens: [AddedTokenEntry]?

  enum CodingKeys: String, CodingKey {
    case model
    case addedTokens = "added_tokens"
  }
}

/// A token that transformers adds to a vocabulary: a text, or an object with what it is to ignore around it.
struct AddedTokenEntry: Decodable {
  var id: Int?
  var content: String
  var normalized = false
  var leftStrip = false
  var rightStrip = false
  var singleWord = false

  enum CodingKeys: String, CodingKey {
    case id, content, normalized
    case leftStrip = "lstrip"
    case rightStrip = "rstrip"
    case singleWord = "single_word"
  }

  init(id: Int, content: String, normalized: Bool) {
    (self.id, self.content, self.normalized) = (id, content, normalized)
  }

  init(from decoder: any Decoder) throws {
    if let text = try? decoder.singleValueContainer().decode(String.self) {
      content = text
      return
    }
    let values = try decoder.container(keyedBy: CodingKeys.self)
    id = try values.decodeIfPresent(Int.self, forKey: .id)
    content = try values.decode(String.self, forKey: .content)
    normalized = try values.decodeIfPresent(Bool.self, forKey: .normalized) ?? false
    leftStrip = try values.decodeIfPresent(Bool.self, forKey: .leftStrip) ?? false
    rightStrip = try values.decodeIfPresent(Bool.self, forKey: .rightStrip) ?? false
    singleWord = try values.decodeIfPresent(Bool.self, forKey: .singleWord) ?? false
  }
}

/// The named tokens of `tokenizer_config.json` and `special_tokens_map.json`.
struct NamedTokens: Decodable {
  var start: AddedTokenEntry?
  var end: AddedTokenEntry?
  var pad: AddedTokenEntry?
  var unknown: AddedTokenEntry?
  /// By id; where it is there, the older files do not count.
  var added: [String: AddedTokenEntry]?

  enum CodingKeys: String, CodingKey {
    case start = "bos_token"
    case end = "eos_token"
    case pad = "pad_token"
    case unknown = "unk_token"
    case added = "added_tokens_decoder"
  }

  /// This with the tokens that `other` names instead.
  func overridden(by other: NamedTokens?) -> NamedTokens {
    var result = self
    result.start = other?.start ?? start
    result.end = other?.end ?? end
    result.pad = other?.pad ?? pad
    result.unknown = other?.unknown ?? unknown
    return result
  }

  var all: [AddedTokenEntry] { [start, end, unknown, pad].compactMap { $0 } }
}
