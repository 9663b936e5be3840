mod following;
mod linux;
mod rule;
