import DiffusionImages
import DiffusionModels
import TensorCore

/// A picture and its mask as a model works on them, and how what was drawn is put back.
struct Canvas: Sendable {
  /// RGB, of the size that is drawn.
  let picture: Image
  /// Grey, of the same size; what is at least 128 is painted anew.
  let mask: Image?
  private let original: Image
  private let originalMask: Image?
  private let area: PixelArea?
  private let keepsOriginal: Bool

  /// - Parameter size: height and width of what is drawn.
  init(
    _ input: PictureInput, size: (Int, Int), filter: ResizeFilter = .lanczos
  ) throws(PipelineError) {
    let original = input.image.converted(toChannels: 3, over: .white)
    self.original = original
    keepsOriginal = input.mask?.keepsOriginal ?? false
    guard let mask = input.mask else {
      (originalMask, area, self.mask) = (nil, nil, nil)
      picture = original.resized(width: size.1, height: size.0, filter: filter)
      return
    }
    let grey = mask.image.converted(toChannels: 1, over: .black)
      .resized(width: original.width, height: original.height).blurred(deviation: mask.blur)
    guard let whole = PixelArea(ofWhiteIn: grey) else {
      throw .request(part: "mask", problem: "nothing in it is white, so nothing would be painted")
    }
    originalMask = grey
    let area = mask.areaPadding.map {
      whole.padded(by: $0, within: grey).widened(to: size, within: grey)
    }
    self.area = area
    func prepared(_ image: Image) -> Image {
      (area.map(image.cropped(to:)) ?? image).resized(width: size.1, height: size.0, filter: filter)
    }
    picture = prepared(original)
    self.mask = prepared(grey)
  }

  /// The picture's values `[1, height, width, 3]`, from -1 to 1.
  var pixels: Tensor { PixelModel.samples(of: [picture]) }

  /// 1 where is painted, 0 elsewhere: `[1, height, width, 1]`.
  var painted: Tensor? {
    mask.map { mask in
      Tensor(
        mask.samples.map { $0 < 128 ? Float(0) : 1 }, shape: [1, mask.height, mask.width, 1])
    }
  }

  /// What was drawn, in its place in the original.
  func finished(_ drawn: Image) -> Image {
    guard let mask, let originalMask else { return drawn }
    guard let area else { return keepsOriginal ? picture.covered(by: drawn, where: mask) : drawn }
    var whole = original
    whole.place(drawn.resized(width: area.width, height: area.height), x: area.x, y: area.y)
    return original.covered(by: whole, where: originalMask)
  }
}

/// A rectangle of pixels.
struct PixelArea: Sendable, Hashable {
  var x: Int
  var y: Int
  var width: Int
  var height: Int

  init(x: Int, y: Int, width: Int, height: Int) {
    (self.x, self.y, self.width, self.height) = (x, y, width, height)
  }

  /// The least that holds all that is not black; `nil` where everything is.
  init?(ofWhiteIn mask: Image) {
    let rows = (0..<mask.height).filter { y in
      mask.samples[y * mask.width..<(y + 1) * mask.width].contains { $0 > 0 }
    }
    let columns = (0..<mask.width).filter { x in
      stride(from: x, to: mask.samples.count, by: mask.width).contains { mask.samples[$0] > 0 }
    }
    guard let top = rows.first, let bottom = rows.last, let left = columns.first,
      let right = columns.last
    else { return nil }
    self.init(x: left, y: top, width: right - left + 1, height: bottom - top + 1)
  }

  /// With so many pixels more on every side, as far as the picture goes.
  func padded(by padding: Int, within image: Image) -> PixelArea {
    let (left, top) = (max(0, x - padding), max(0, y - padding))
    return PixelArea(
      x: left, y: top, width: min(image.width, x + width + padding) - left,
      height: min(image.height, y + height + padding) - top)
  }

  /// As tall or as wide as it takes to have the proportion of `size` (height, width), as far as the picture goes.
  func widened(to size: (Int, Int), within image: Image) -> PixelArea {
    let proportion = Double(size.1) / Double(size.0)
    var area = self
    if Double(width) / Double(height) > proportion {
      (area.y, area.height) = Self.stretched(
        y, height, to: Int(Double(width) / proportion), most: image.height)
    } else {
      (area.x, area.width) = Self.stretched(
        x, width, to: Int(Double(height) * proportion), most: image.width)
    }
    return area
  }

  /// A stretch made longer on both sides, moved to where there is room.
  private static func stretched(
    _ start: Int, _ length: Int, to target: Int, most: Int
  ) -> (Int, Int) {
    let length = (length: length, target: min(max(length, target), most))
    let moved = start - (length.target - length.length) / 2
    return (max(0, min(moved, most - length.target)), length.target)
  }
}

extension Image {
  func cropped(to area: PixelArea) -> Image {
    cropped(x: area.x, y: area.y, width: area.width, height: area.height)
  }

  /// `other` as far as the mask is white: `round((mask * other + (255 - mask) * self) / 255)`.
  func covered(by other: Image, where mask: Image) -> Image {
    Image(
      width: width, height: height, channels: channels,
      samples: samples.indices.map { index in
        let share = UInt32(mask.samples[index / channels])
        let sum =
          share * UInt32(other.samples[index])
          + (255 - share) * UInt32(samples[index])
        return UInt8((sum + 127) / 255)
      })
  }
}
