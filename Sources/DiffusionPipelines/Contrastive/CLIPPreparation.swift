import DiffusionImages
import TensorCore

/// How pictures are made ready for CLIP: the keys and defaults of transformers' `CLIPImageProcessor` (its
/// preprocessor_config.json), and its arithmetic, which is Pillow's.
public struct CLIPPreparation: Sendable, Equatable {
  /// What a picture is resized to.
  public enum Size: Sendable, Equatable {
    /// Its shorter side; the longer one keeps the proportion, rounded down.
    case shorterSide(Int)
    /// Both sides, whatever the proportion.
    case exact(height: Int, width: Int)
  }

  /// What it is resized to; `nil` where it is not.
  public var size: Size?
  /// The kernel of resizing.
  public var filter = ResizeFilter.bicubic
  /// The middle that is kept; `nil` for all.
  public var crop: (height: Int, width: Int)?
  /// What samples are multiplied by.
  public var scale = 1.0 / 255
  /// What is then taken away, a channel.
  public var mean = [0.48145466, 0.4578275, 0.40821073]
  /// What is then divided by, a channel.
  public var deviation = [0.26862954, 0.26130258, 0.27577711]

  /// OpenAI's, for pictures of a side.
  public init(side: Int = 224) {
    size = .shorterSide(side)
    crop = (side, side)
  }

  /// A picture as CLIP takes it, `[height, width, 3]`: over white where it has alpha, in RGB, resized, cropped, normalised.
  public func prepared(_ image: Image) -> Tensor {
    var image = image.converted(toChannels: 3, over: .white)
    switch size {
    case .shorterSide(let side): image = resized(image, shorterSide: side)
    case .exact(let height, let width):
      image = image.resized(width: width, height: height, filter: filter)
    case nil: break
    }
    if let crop { image = image.centred(width: crop.width, height: crop.height) }
    // The reference works in float32.
    let (scale, mean, deviation) = (scale, mean.map { Float($0) }, deviation.map { Float($0) })
    var values: [Float] = []
    values.reserveCapacity(image.samples.count)
    for (index, sample) in image.samples.enumerated() {
      let channel = index % 3
      values.append((Float(Double(sample) * scale) - mean[channel]) / deviation[channel])
    }
    return Tensor(values, shape: [image.height, image.width, 3])
  }

  private func resized(_ image: Image, shorterSide side: Int) -> Image {
    let (shorter, longer) = (min(image.width, image.height), max(image.width, image.height))
    let other = Int(Double(side * longer) / Double(shorter))
    return image.width <= image.height
      ? image.resized(width: side, height: other, filter: filter)
      : image.resized(width: other, height: side, filter: filter)
  }

  /// Whether two prepare every picture alike.
  public static func == (a: CLIPPreparation, b: CLIPPreparation) -> Bool {
    a.size == b.size && a.filter == b.filter && a.crop?.height == b.crop?.height
      && a.crop?.width == b.crop?.width && a.scale == b.scale && a.mean == b.mean
      && a.deviation == b.deviation
  }
}

extension CLIPPreparation: Decodable {
  /// Every key that is read, and those that say nothing about pictures.
  static let keys =
    CodingKeys.allCases.map(\.rawValue) + [
      "image_processor_type", "feature_extractor_type", "processor_class", "default_to_square",
    ]

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case resizes = "do_resize"
    case size
    case filter = "resample"
    case crops = "do_center_crop"
    case crop = "crop_size"
    case scales = "do_rescale"
    case scale = "rescale_factor"
    case normalizes = "do_normalize"
    case mean = "image_mean"
    case deviation = "image_std"
    case converts = "do_convert_rgb"
  }

  /// A number, or an object of sides.
  private struct Sides: Decodable {
    let shorter: Int?
    let height: Int?
    let width: Int?

    private enum CodingKeys: String, CodingKey {
      case shorter = "shortest_edge"
      case height, width
    }

    init(from decoder: any Decoder) throws {
      if let side = try? decoder.singleValueContainer().decode(Int.self) {
        (shorter, height, width) = (side, nil, nil)
        return
      }
      let values = try decoder.container(keyedBy: CodingKeys.self)
      shorter = try values.decodeIfPresent(Int.self, forKey: .shorter)
      height = try values.decodeIfPresent(Int.self, forKey: .height)
      width = try values.decodeIfPresent(Int.self, forKey: .width)
    }
  }

  /// Reads the keys that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    self.init()
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func flag(_ key: CodingKeys) throws -> Bool {
      try values.decodeIfPresent(Bool.self, forKey: key) ?? true
    }
    func positive(_ sides: Sides, _ key: CodingKeys) throws -> Sides {
      for side in [sides.shorter, sides.height, sides.width] {
        if let side, side < 1 {
          throw DecodingError.dataCorruptedError(
            forKey: key, in: values, debugDescription: "expected sides above 0, found \(side)")
        }
      }
      return sides
    }
    if let found = try values.decodeIfPresent(Sides.self, forKey: .size) {
      let sides = try positive(found, .size)
      if let side = sides.shorter { size = .shorterSide(side) }
      if let height = sides.height, let width = sides.width {
        size = .exact(height: height, width: width)
      }
    }
    if let found = try values.decodeIfPresent(Sides.self, forKey: .crop) {
      let sides = try positive(found, .crop)
      if let side = sides.shorter { crop = (side, side) }
      if let height = sides.height, let width = sides.width { crop = (height, width) }
    }
    if let number = try values.decodeIfPresent(Int.self, forKey: .filter) {
      guard let known = Self.filters[number] else {
        throw DecodingError.dataCorruptedError(
          forKey: .filter, in: values,
          debugDescription: "expected 1 (Lanczos), 2 (bilinear) or 3 (bicubic), found \(number)")
      }
      filter = known
    }
    scale = try values.decodeIfPresent(Double.self, forKey: .scale) ?? scale
    mean = try triple(values, .mean) ?? mean
    deviation = try triple(values, .deviation) ?? deviation
    if try !flag(.resizes) { size = nil }
    if try !flag(.crops) { crop = nil }
    if try !flag(.scales) { scale = 1 }
    if try !flag(.normalizes) { (mean, deviation) = ([0, 0, 0], [1, 1, 1]) }
  }

  /// Pillow's numbers of filters.
  private static let filters: [Int: ResizeFilter] = [1: .lanczos, 2: .bilinear, 3: .bicubic]

  private func triple(
    _ values: KeyedDecodingContainer<CodingKeys>, _ key: CodingKeys
  ) throws -> [Double]? {
    guard let found = try values.decodeIfPresent([Double].self, forKey: key) else { return nil }
    guard found.count == 3 else {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: values, debugDescription: "expected three numbers, found \(found.count)")
    }
    return found
  }
}
