mod control;
mod crash;
mod lifecycle;
mod world;
