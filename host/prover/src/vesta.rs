//! The curve Vesta with faster formulas, for stock halo2 to prove over.
//!
//! halo2's prover is generic over its curve. Half of a proof's time with `pasta_curves`' own types
//! goes into the opening argument, which multiplies 2^k points by challenges with 255 doublings and
//! 255 additions each, whatever the challenge. These types are the same group, with the same
//! encodings, hash to the curve and text form, so that keys, parameters and proofs are byte for byte
//! those of [`EqAffine`]; they multiply by way of the curve's endomorphism ([`endomorphism`]), and
//! add with formulas that branch on the identity where `pasta_curves` selects.
//!
//! Time depends on the operands. Nothing is lost by that: halo2 multiplies points only by challenges,
//! which the proof shows, and its multiexponentiation over secret values takes the time of their
//! digits with any curve.
//!
//! The verifying side does not use this module: a proof made here counts once it has verified under
//! `pasta_curves`' own arithmetic, in another process.
//!
//! Formulas are those of the Explicit-Formulas Database for y^2 = x^3 + b in Jacobian coordinates
//! (x / z^2, y / z^3): dbl-2009-l, madd and add after Hankerson, Menezes and Vanstone's Guide to
//! Elliptic Curve Cryptography, 3.2.2, and mmadd where both points are affine.

mod endomorphism;
mod traits;

use ff::Field as _;
use group::CurveAffine as _;
use pasta_curves::{
    Eq as StockPoint, EqAffine, Fq,
    arithmetic::{CurveAffine as _, CurveExt as _, VartimeField as _},
};

/// A point in affine coordinates; the identity is (0, 0), which is not on the curve otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Vesta {
    x: Fq,
    y: Fq,
}

/// A point in Jacobian coordinates; the identity is where z = 0.
#[derive(Clone, Copy, Debug)]
pub struct VestaPoint {
    x: Fq,
    y: Fq,
    z: Fq,
}

const IDENTITY: VestaPoint = VestaPoint {
    x: Fq::ZERO,
    y: Fq::ONE,
    z: Fq::ZERO,
};

// === impl Vesta ===

impl Vesta {
    fn is_zero(&self) -> bool {
        self.x == Fq::ZERO && self.y == Fq::ZERO
    }

    /// The same point as `pasta_curves` has it.
    #[must_use]
    pub fn stock(&self) -> EqAffine {
        EqAffine::from_xy_unchecked(self.x, self.y)
    }

    #[inline]
    fn add_affine(&self, other: &Self) -> VestaPoint {
        if self.is_zero() {
            return other.to_curve();
        }
        if other.is_zero() {
            return self.to_curve();
        }
        let (h, r) = (other.x - self.x, other.y - self.y);
        if h == Fq::ZERO {
            return same_x(r, &self.to_curve());
        }
        add(self.x, self.y, h, r, h)
    }
}

impl From<EqAffine> for Vesta {
    fn from(point: EqAffine) -> Self {
        let coordinates = Option::from(point.coordinates());
        coordinates.map_or_else(
            Self::default,
            |at: pasta_curves::arithmetic::Coordinates<_>| Self {
                x: *at.x(),
                y: *at.y(),
            },
        )
    }
}

// === impl VestaPoint ===

impl VestaPoint {
    #[inline]
    fn is_zero(&self) -> bool {
        self.z == Fq::ZERO
    }

    #[inline]
    fn doubled(&self) -> Self {
        let (a, b) = (self.x.square(), self.y.square());
        let c = b.square();
        let d = twice((self.x + b).square() - a - c);
        let e = twice(a) + a;
        let x = e.square() - twice(d);
        Self {
            x,
            y: e * (d - x) - twice(twice(twice(c))),
            z: twice(self.z * self.y),
        }
    }

    #[inline]
    fn add_affine(&self, other: &Vesta) -> Self {
        if other.is_zero() {
            return *self;
        }
        if self.is_zero() {
            return other.to_curve();
        }
        let square = self.z.square();
        let h = other.x * square - self.x;
        let r = other.y * (square * self.z) - self.y;
        if h == Fq::ZERO {
            return same_x(r, self);
        }
        add(self.x, self.y, h, r, self.z * h)
    }

    #[inline]
    fn add_point(&self, other: &Self) -> Self {
        if other.is_zero() {
            return *self;
        }
        if self.is_zero() {
            return *other;
        }
        let (square, other_square) = (self.z.square(), other.z.square());
        let (x, y) = (self.x * other_square, self.y * (other_square * other.z));
        let h = other.x * square - x;
        let r = other.y * (square * self.z) - y;
        if h == Fq::ZERO {
            return same_x(r, self);
        }
        add(x, y, h, r, self.z * other.z * h)
    }

    /// Affine coordinates, one inversion for all.
    fn normalized(points: &[Self], affine: &mut [Vesta]) {
        assert_eq!(points.len(), affine.len());
        let mut product = Fq::ONE;
        for (point, affine) in points.iter().zip(affine.iter_mut()) {
            // Kept there until the way back.
            affine.x = product;
            if !point.is_zero() {
                product *= point.z;
            }
        }
        // A product of what is not zero; (0, 0) otherwise, which no check would take for a point.
        let mut inverse = product.invert_vartime().unwrap_or(Fq::ZERO);
        for (point, affine) in points.iter().zip(affine.iter_mut()).rev() {
            if point.is_zero() {
                *affine = Vesta::default();
            } else {
                let own = inverse * affine.x;
                inverse *= point.z;
                *affine = point.scaled(own);
            }
        }
    }

    /// Affine coordinates, from 1 / z.
    fn scaled(&self, inverse: Fq) -> Vesta {
        let square = inverse.square();
        Vesta {
            x: self.x * square,
            y: self.y * (square * inverse),
        }
    }
}

impl From<StockPoint> for VestaPoint {
    fn from(point: StockPoint) -> Self {
        let (x, y, z) = point.jacobian_coordinates();
        Self { x, y, z }
    }
}

/// The sum of (x, y) and another point, both scaled to one z: h and r are the differences of their
/// coordinates, z is the sum's.
#[inline]
fn add(x: Fq, y: Fq, h: Fq, r: Fq, z: Fq) -> VestaPoint {
    let square = h.square();
    let (cube, v) = (h * square, x * square);
    let sum = r.square() - cube - twice(v);
    VestaPoint {
        x: sum,
        y: r * (v - sum) - y * cube,
        z,
    }
}

/// The sum of two points of one x: the point's double, or the identity.
#[inline]
fn same_x(difference_of_y: Fq, point: &VestaPoint) -> VestaPoint {
    if difference_of_y == Fq::ZERO {
        point.doubled()
    } else {
        IDENTITY
    }
}

#[inline]
fn twice(value: Fq) -> Fq {
    value + value
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first broken fact")]
mod tests;
